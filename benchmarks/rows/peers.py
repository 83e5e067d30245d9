"""Peers that run in an environment of their own, each as its documentation advises for files beyond memory."""

from pathlib import Path

from benchmarks.rows.data import CATEGORIES, COLUMNS, FLOATS, HIGHEST_K, Data
from benchmarks.rows.plain import header_is_right

PYARROW_BLOCK = 1024 * 1024
PANDAS_CHUNK = 50_000
DUCKDB_MEMORY = "4GB"


def demand_header(data: Data) -> None:
    if not header_is_right(data):
        raise ValueError("another header")


def duckdb_validate(data: Data, out: Path) -> dict[str, int]:
    import duckdb

    demand_header(data)
    types = {"id": "BIGINT", "k": "BIGINT", **dict.fromkeys(FLOATS, "DOUBLE")}
    columns = {name: types.get(name, "VARCHAR") for name in COLUMNS}
    finite = " AND ".join(f"isfinite({name})" for name in FLOATS)
    good = f"{finite} AND id IS NOT NULL AND k BETWEEN 0 AND {HIGHEST_K} AND cat IN {CATEGORIES}"
    [(rows, fine)] = duckdb.sql(
        f"SELECT count(*), count(*) FILTER ({good}) FROM read_csv('{data.input}', header = true, "
        f"""auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {columns})"""
    ).fetchall()
    return {"rows": rows, "bad": rows - fine}


def polars_validate(data: Data, out: Path) -> dict[str, int]:
    """Reads the columns with rules only: the others are skipped."""
    import polars as pl

    demand_header(data)
    types = {"id": pl.Int64, "k": pl.Int64, **dict.fromkeys(FLOATS, pl.Float64)}
    schema = {name: types.get(name, pl.String) for name in COLUMNS}
    good = pl.all_horizontal(
        pl.col("id").is_not_null(),
        *(pl.col(name).is_finite() for name in FLOATS),
        pl.col("k").is_between(0, HIGHEST_K),
        pl.col("cat").is_in(CATEGORIES),
    )
    counted = pl.scan_csv(data.input, schema=schema).select(rows=pl.len(), fine=good.sum())
    rows, fine = counted.collect(engine="streaming").row(0)
    return {"rows": rows, "bad": rows - fine}


def pyarrow_validate(data: Data, out: Path) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    demand_header(data)
    types = {"id": pa.int64(), "k": pa.int64(), **dict.fromkeys(FLOATS, pa.float64())}
    reader = csv.open_csv(
        data.input,
        csv.ReadOptions(block_size=PYARROW_BLOCK),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types={name: types.get(name, pa.string()) for name in COLUMNS}),
    )
    rows = fine = 0
    for batch in reader:
        good = pc.is_valid(batch["id"])
        for name in FLOATS:
            good = pc.and_(good, pc.is_finite(batch[name]))
        good = pc.and_(good, pc.and_(pc.greater_equal(batch["k"], 0), pc.less_equal(batch["k"], HIGHEST_K)))
        good = pc.and_(good, pc.is_in(batch["cat"], pa.array(CATEGORIES)))
        rows += batch.num_rows
        fine += pc.sum(good).as_py()
    return {"rows": rows, "bad": rows - fine}


def pandas_validate(data: Data, out: Path) -> dict[str, int]:
    import numpy as np
    import pandas as pd

    demand_header(data)
    types = {"id": "int64", "k": "int64", **dict.fromkeys(FLOATS, "float64")}
    rows = fine = 0
    for frame in pd.read_csv(data.input, dtype=types, chunksize=PANDAS_CHUNK):
        good = np.isfinite(frame[list(FLOATS)]).all(axis=1)
        good &= frame["k"].between(0, HIGHEST_K) & frame["cat"].isin(CATEGORIES)
        rows += len(frame)
        fine += int(good.sum())
    return {"rows": rows, "bad": rows - fine}


def polars_join(data: Data, out: Path, form: str) -> None:
    import polars as pl

    ids = pl.scan_csv(data.ids, has_header=False, schema={"id": pl.Int64})
    scores = {"id": pl.Int64, "prediction": pl.String}
    raw = pl.scan_csv(data.raw(form), has_header=False, separator=" ", schema=scores)
    ids.join(raw, on="id", how="left", maintain_order="left").sink_csv(out / "predictions.csv")


def duckdb_join(data: Data, out: Path, form: str) -> None:
    """Rows get their numbers as they are read, since ids come in no order."""
    import duckdb

    reading = "header = false, auto_detect = false"
    with duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{DUCKDB_MEMORY}'")
        database.execute(f"SET temp_directory = '{data.folder / 'duckdb'}'")
        database.execute(
            f"""
            COPY (
                SELECT ids.id, raw.prediction
                FROM (
                    SELECT id, row_number() OVER () AS row
                    FROM read_csv('{data.ids}', {reading}, delim = ',', columns = {{'id': 'BIGINT'}})
                ) ids
                LEFT JOIN read_csv(
                    '{data.raw(form)}', {reading}, delim = ' ', columns = {{'id': 'BIGINT', 'prediction': 'VARCHAR'}}
                ) raw USING (id)
                ORDER BY ids.row
            ) TO '{out / "predictions.csv"}' (FORMAT csv, HEADER true)
            """
        )
