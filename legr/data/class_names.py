"""Classes of the data sets that go by name; a page that offers them need not load the images.

It does not know images.
"""

DIGITS_CLASSES = tuple("0123456789")
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CLASSES_OF = {"digits": DIGITS_CLASSES, "cifar10": CIFAR10_CLASSES}
