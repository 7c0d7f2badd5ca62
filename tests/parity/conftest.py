"""What all parity tests share: SyncNet's own network with random weights, and the same weights imported."""

import pytest
import torch
from syncnet_python.SyncNetModel import S

from penstock.extractors.checkpoint_import import import_checkpoint
from penstock.extractors.syncnet import open_syncnet


@pytest.fixture(scope="session")
def net():
    """The reference's network with random weights and batch norms that do something."""
    torch.manual_seed(5)
    made = S()
    for module in made.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    return made.eval()


@pytest.fixture(scope="session")
def checkpoint(net, tmp_path_factory):
    """Those weights in the published format."""
    path = tmp_path_factory.mktemp("syncnet") / "random.model"
    torch.save(net.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def extractor(checkpoint):
    """Those weights as Penstock runs them."""
    import_checkpoint("syncnet", checkpoint, checkpoint.with_suffix(".onnx"))
    return open_syncnet(checkpoint.with_suffix(".onnx"))
