"""Class names of the data sets that go by name, which a page can offer without images; reading a list of classes."""

from collections.abc import Collection, Iterable

__all__ = ["CIFAR10_CLASSES", "CIFAR100_CLASSES", "CLASSES_OF", "DIGITS_CLASSES", "listed_names"]

DIGITS_CLASSES = tuple("0123456789")
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CIFAR100_CLASSES = (
    *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle"),
    *("bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle"),
    *("chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur"),
    *("dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard"),
    *("lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain"),
    *("mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree"),
    *("plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket"),
    *("rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider"),
    *("squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger"),
    *("tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm"),
)
CLASSES_OF = {"digits": DIGITS_CLASSES, "cifar10": CIFAR10_CLASSES, "cifar100": CIFAR100_CLASSES}


def listed_names(texts: Iterable[str], classes: Collection[str]) -> list[str]:
    """Return the names in texts that hold one name each, or several with commas between.

    Some names have commas themselves, such as "tench, Tinca tinca": the longest run of parts that is one of `classes`
    is one name. A part that belongs to no class is returned as it is.
    """
    names = []
    for text in texts:
        parts = text.split(",")
        while parts:
            lengths = range(len(parts), 0, -1)
            length = next((n for n in lengths if ",".join(parts[:n]).strip() in classes), 1)
            names.append(",".join(parts[:length]).strip())
            del parts[:length]
    return [name for name in names if name]
