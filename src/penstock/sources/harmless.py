"""The names that a checkpoint may import when it is unpickled. Every other name is refused, whether it is known or not.

A pickle is a program: it imports names and calls them. There are more ways to run code behind a harmless-looking name
(``torch.hub.load``, ``joblib.load``, ``yaml.unsafe_load``, ``pandas.eval``) than a list of dangerous ones can know, so
the list is of what tensors, arrays and plain values are made with. PyTorch's own loader for weights alone
(``torch.load(..., weights_only=True)``) has much the same list. Not on it, although checkpoints have them: anything
that unpickles in turn (``torch.storage._load_from_bytes``, joblib's array wrapper), and classes of models.
"""

from __future__ import annotations

_BUILTINS = (
    "bool bytearray bytes complex dict float frozenset int list long object range set slice str tuple unicode xrange"
)
_ARRAYS = "_reconstruct scalar"
_NUMPY = (
    "dtype ndarray bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 longdouble "
    "complex64 complex128 intc uintc longlong ulonglong str_ bytes_ datetime64 timedelta64 void"
)
_NUMPY_DTYPES = (
    "BoolDType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType UInt32DType UInt64DType Float16DType "
    "Float32DType Float64DType Complex64DType Complex128DType StrDType BytesDType DateTime64DType TimeDelta64DType "
    "VoidDType"
)
_STORAGES = (
    "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage "
    "ByteStorage BoolStorage ComplexFloatStorage ComplexDoubleStorage QInt8Storage QUInt8Storage QInt32Storage "
    "QUInt4x2Storage QUInt2x4Storage UntypedStorage TypedStorage"
)
_DTYPES = (
    "float float16 float32 float64 half double bfloat16 int int8 int16 int32 int64 short long uint8 uint16 uint32 "
    "uint64 bool complex32 complex64 complex128 cfloat cdouble chalf float8_e4m3fn float8_e5m2 float8_e4m3fnuz "
    "float8_e5m2fnuz qint8 quint8 qint32 quint4x2 quint2x4 per_tensor_affine per_channel_affine per_tensor_symmetric "
    "per_channel_symmetric per_channel_affine_float_qparams"
)
_REBUILD = (
    "_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_tensor _rebuild_tensor_v2 "
    "_rebuild_tensor_v3 _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_meta_tensor_no_storage "
    "_rebuild_nested_tensor _rebuild_wrapper_subclass _rebuild_device_tensor_from_numpy"
)
_TORCHSCRIPT = "build_boollist build_doublelist build_intlist build_tensor_from_id build_tensorlist restore_type_tag"
_HARMLESS = {
    "__builtin__": _BUILTINS,
    "_codecs": "encode",
    "argparse": "Namespace",
    "builtins": _BUILTINS,
    "collections": "Counter OrderedDict defaultdict deque",
    "copy_reg": "_reconstructor",
    "copyreg": "_reconstructor",
    "datetime": "date datetime timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "numpy": _NUMPY,
    "numpy._core.multiarray": _ARRAYS,
    "numpy._core.numeric": "_frombuffer",
    "numpy.core.multiarray": _ARRAYS,
    "numpy.core.numeric": "_frombuffer",
    "numpy.dtypes": _NUMPY_DTYPES,
    "pathlib": "Path PosixPath PurePath PurePosixPath WindowsPath PureWindowsPath",
    "torch": f"{_STORAGES} {_DTYPES} Size Tensor device",
    "torch._tensor": "_rebuild_from_type_v2",
    "torch._utils": _REBUILD,
    "torch.cuda": _STORAGES,
    "torch.jit._pickle": _TORCHSCRIPT,
    "torch.nn.parameter": "Parameter Buffer",
    "torch.serialization": "_get_layout",
    "torch.storage": "TypedStorage UntypedStorage _TypedStorage _UntypedStorage",
    "types": "SimpleNamespace",
    "uuid": "UUID",
}
_NAMES = frozenset((module, name) for module, names in _HARMLESS.items() for name in names.split())
_TORCHSCRIPT_CLASSES = "__torch__."
"""TorchScript's own classes, which its loader knows from the archive's code and Python cannot import."""


def is_harmless(module: str, name: str) -> bool:
    """Whether a checkpoint may import ``name`` of ``module``."""
    return (module, name) in _NAMES or f"{module}.".startswith(_TORCHSCRIPT_CLASSES)
