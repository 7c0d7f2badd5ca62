"""The field's metrics: arrays in, numbers out. Names, units and directions are said by the families that use them."""
