"""A study's title says network and images as people do, and keeps a name that says more."""

import pytest

from legr.study.title import model_title, study_title


@pytest.mark.parametrize(
    ("model", "title"),
    [
        ("cifar_resnet56", "ResNet-56"),
        ("cifar_vgg16_bn", "VGG-16 bn"),
        ("cifar_mobilenet_v2", "MobileNetV2"),
        ("timm:mobilenetv2_100", "MobileNetV2-100"),
        ("resnet50", "ResNet-50"),
        ("timm:efficientnet_b0", "EfficientNet b0"),
        ("mine.nets:Robot", "Robot"),
        ("wide_resnet50_2", "wide_resnet50_2"),
    ],
)
def test_a_model_is_spelled_as_its_authors_do(model: str, title: str) -> None:
    assert model_title(model) == title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cifar10_resnet56", "ResNet-56 on CIFAR-10"),
        ("resnet56-cifar10", "ResNet-56 on CIFAR-10"),
        ("cifar10_resnet56-2", "ResNet-56 on CIFAR-10 · cifar10_resnet56-2"),
        ("robot", "ResNet-56 on CIFAR-10 · robot"),
    ],
)
def test_a_name_that_says_more_is_kept(name: str, title: str) -> None:
    assert study_title(name, "cifar_resnet56", "cifar10") == title
