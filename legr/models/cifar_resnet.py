"""The CIFAR ResNet of He et al. (2015, section 4.2) with padded ("option A") shortcuts: depth 6n + 2.

Parameter names: those of akamaster/pytorch_resnet_cifar10.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from legr.errors import SettingsError
from legr.structure.gather_channels import GatherChannels

STAGE_WIDTHS = (16, 32, 64)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut that has no weights.

    Args:
        in_planes: channels of the input.
        planes: channels of the output, `in_planes` or twice as many.
        stride: 1 or 2, of the first convolution and of the shortcut.
    """

    def __init__(self, in_planes: int, planes: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut: nn.Module = nn.Identity()
        if planes != in_planes:
            blank = [-1] * (planes // 4)  # on both sides, as in the published weights
            self.shortcut = GatherChannels([*blank, *range(in_planes), *blank])

    def forward(self, x: Tensor) -> Tensor:  # [N, in_planes, H, W] -> [N, planes, H/stride, W/stride]
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.stride != 1:
            x = x[:, :, :: self.stride, :: self.stride]
        return F.relu(out + self.shortcut(x))


class CifarResNet(nn.Module):
    """Three stages of `n_blocks` basic blocks, 16, 32 and 64 channels wide.

    Args:
        n_blocks: blocks a stage (n in the paper's 6n + 2), at least 1.
        num_classes: outputs, at least 1.

    Weights start Kaiming-normal from PyTorch's current generator (`zoo.build_model` gives it a seed).
    """

    def __init__(self, n_blocks: int, num_classes: int = 10) -> None:
        super().__init__()
        narrow, middle, wide = STAGE_WIDTHS
        self.conv1 = nn.Conv2d(3, narrow, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(narrow)
        self.layer1 = _stage(narrow, narrow, n_blocks, stride=1)
        self.layer2 = _stage(narrow, middle, n_blocks, stride=2)
        self.layer3 = _stage(middle, wide, n_blocks, stride=2)
        self.linear = nn.Linear(wide, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:  # [N, 3, H, W] -> [N, num_classes]; any H, W from 1
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        out: Tensor = self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return out


def cifar_resnet(depth: int, num_classes: int = 10) -> CifarResNet:
    """Return the CIFAR ResNet with `depth` = 6n + 2 layers: 8, 14, 20, 32, 44, 56, 110, ...

    Raises:
        SettingsError: no n of at least 1 gives this depth.
    """
    n_blocks, rest = divmod(depth - 2, 6)
    if rest or n_blocks < 1:
        raise SettingsError(f"the depth of a CIFAR ResNet must be 6n + 2 (8, 14, 20, ...), got {depth}")
    return CifarResNet(n_blocks, num_classes)


def _stage(in_planes: int, planes: int, n_blocks: int, stride: int) -> nn.Sequential:
    first = BasicBlock(in_planes, planes, stride)
    return nn.Sequential(first, *(BasicBlock(planes, planes, 1) for _ in range(n_blocks - 1)))
