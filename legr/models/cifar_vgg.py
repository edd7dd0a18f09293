"""VGG-16 with batch norm for 32 x 32 images: 13 convolutions and one linear layer (Simonyan and Zisserman, 2014).

Parameters are named `features.N` and `classifier`.
"""

from torch import Tensor, nn

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Widths of the 3 x 3 convolutions; every stage ends with a pool that halves the image."""


class CifarVgg(nn.Module):
    """Five stages of convolutions, the mean over what is left of the image, and one linear layer.

    Args:
        num_classes: outputs, at least 1.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for widths in STAGES:
            for width in widths:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:  # [N, 3, H, W] -> [N, num_classes]; H and W from 32
        out: Tensor = self.classifier(self.features(x).mean((2, 3)))
        return out
