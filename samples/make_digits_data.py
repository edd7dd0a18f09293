"""Write `legr/data/digits.npz`: the handwritten digits that the program brings along.

    pip install scikit-learn
    python -m samples.make_digits_data

scikit-learn is needed here alone. The file holds its images as they are: `images`, uint8[N, 8, 8] from 0 to 16, and
`labels`, uint8[N], N = 1,797. Source and licence stand in `legr/data/digits.txt`.
"""

import numpy as np
from sklearn.datasets import load_digits

from legr.data.digits import FILE


def main() -> None:
    """Write the file."""
    digits = load_digits()
    np.savez_compressed(FILE, images=digits.images.astype(np.uint8), labels=digits.target.astype(np.uint8))


if __name__ == "__main__":
    main()
