"""Which names a checkpoint may import."""

from pathlib import Path

import pytest
from tests.unit.sources.pickle_files import pickled, write

from penstock.foundation.errors import UsageError
from penstock.sources.scan import scan


@pytest.mark.parametrize(
    "name",
    [
        *("dill.loads", "dill._dill._create_function", "joblib.load", "joblib.numpy_pickle.NumpyArrayWrapper"),
        *("torch.hub.load", "torch.load", "torch.storage._load_from_bytes", "torch.jit.load", "yaml.unsafe_load"),
        *("torch.classes.load_library", "torch.ops.load_library", "torch.FloatStorage.from_file", "numpy.load"),
        *("pandas.read_pickle", "pandas.eval", "numpy.f2py.crackfortran.getlincoef", "numpy.fromfile", "numpy.memmap"),
        *(
            "cloudpickle.loads",
            "sklearn.utils._joblib.load",
            "transformers.pipeline",
            "tensorflow.keras.models.load_model",
        ),
        *("builtins.getattr", "operator.attrgetter", "functools.partial", "types.FunctionType", "mymodel.nets.Net"),
        *("collections.abc.Callable", "torch._utils._import_dotted_name", "builtins.str.format"),
    ],
)
def test_names_that_weights_do_not_need_are_refused(tmp_path: Path, name: str) -> None:
    module, _, last = name.rpartition(".")
    with pytest.raises(UsageError, match=f"would run '{name}'"):
        scan(write(tmp_path / "w.pt", pickled(module, last)))
    with pytest.raises(UsageError, match=f"would run '{name}'"):
        scan(write(tmp_path / "w.bin", pickled(module, last)[:-1]))  # without its end it runs all the same


@pytest.mark.parametrize(
    "name",
    [
        *("torch.FloatStorage", "torch.BFloat16Storage", "torch.float16", "torch.storage.UntypedStorage"),
        *("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch._tensor._rebuild_from_type_v2"),
        *("collections.OrderedDict", "numpy.core.multiarray.scalar", "numpy._core.multiarray._reconstruct"),
        *("numpy.dtype", "_codecs.encode", "argparse.Namespace", "pathlib.PosixPath", "__builtin__.set"),
        *("torch.jit._pickle.build_intlist", "__torch__.models.net.Net", "torch.Size", "torch.device"),
    ],
)
def test_what_checkpoints_are_made_of_is_accepted(tmp_path: Path, name: str) -> None:
    module, _, last = name.rpartition(".")
    assert scan(write(tmp_path / "w.pt", pickled(module, last))).format == "pickle"
