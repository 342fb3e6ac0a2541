"""The families of backbones: torchvision's convolutional and transformer networks, and timm's."""
