"""The Spark data source, which delivers the rows of DataFrames and streams.

Its configuration is that of the Singer target. `register(spark)` registers the format
`pinterest_capi`. Needs the extra `spark`, on the driver and on every executor.
"""

try:
    from target_pinterest_capi.spark.source import PinterestDataSource, register
except ModuleNotFoundError as error:
    if error.name not in {"pyspark", "pyarrow"}:
        raise
    raise ImportError(
        f"{error.name} is not installed: pip install 'target-pinterest-capi[spark]'"
    ) from error

__all__ = ["PinterestDataSource", "register"]
