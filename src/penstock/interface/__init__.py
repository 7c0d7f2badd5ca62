"""A service and its OpenAPI document: read, put to the test, compared with the released one."""
