"""Reads a CSV and a Parquet of the same run in Python's csv, pandas and DuckDB: all must hold the same cells.

    python3 -m venv venv && venv/bin/pip install pandas duckdb pyarrow
    venv/bin/python scripts/corpus/read_back.py --articles 2000
"""
import argparse
import csv
import json
import os
import tempfile

import duckdb
import made
import pandas

# Cells that readers are known to stumble over.
ODD = ["NA", "null", "=1+1", "a,b", "c \"d\" e", "line\r\nbreak", "tab\there", "007", "1e5", "2024-01-01", "true", "“ü€\U0001f600”", " led ", ""]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=200)
    ap.add_argument("--options", default="--rules-only")
    args = ap.parse_args()
    csv.field_size_limit(1 << 30)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("articles.jsonl", "w", encoding="utf-8") as file:
            for n in range(args.articles):
                row = {"id": f"a{n}", "text": made.article(n), "outlet": ODD[n % len(ODD)], "desk": ODD[-1 - n % len(ODD)]}
                print(json.dumps(row, ensure_ascii=False), file=file)
        options = ["articles.jsonl", "-q", "--keep", "desk", "--offsets", "--duplicates", "mark", "--no-formula-guard", *args.options.split()]
        for ending in ("csv", "parquet"):
            made.run("quotes", "-o", f"out.{ending}", *options).ok()
        with open("out.csv", encoding="utf-8", newline="") as file:
            header, *plain = list(csv.reader(file))
        tables = {}
        frame = pandas.read_csv("out.csv", keep_default_na=False, dtype=str)
        tables["pandas, CSV"] = frame.columns.tolist(), frame.values.tolist()
        frame = pandas.read_parquet("out.parquet", dtype_backend="pyarrow")
        tables["pandas, Parquet"] = frame.columns.tolist(), frame.astype(object).where(frame.notna(), None).values.tolist()
        table = duckdb.sql("select * from read_csv('out.csv', all_varchar=true, nullstr='')")
        tables["DuckDB, CSV"] = table.columns, table.fetchall()
        table = duckdb.sql("select * from 'out.parquet'")
        tables["DuckDB, Parquet"] = table.columns, table.fetchall()
        table = duckdb.sql("select * from read_csv('out.csv')")
        tables["DuckDB, CSV, types guessed"] = table.columns, table.fetchall()

        def cell(value):
            return "" if value is None else repr(value) if isinstance(value, float) else str(value)

        print(f"{len(plain)} rows, {len(header)} columns by Python's csv")
        for name, (columns, rows) in tables.items():
            different = sum(cell(value) != text and not same_number(value, text) for row, texts in zip(rows, plain) for value, text in zip(row, texts))
            equal = list(columns) == header and len(rows) == len(plain) and different == 0
            print(f"{name}: {'equal' if equal else f'{different} CELLS DIFFER, {len(rows)} rows'}")


def same_number(value, text):
    return isinstance(value, float) and text != "" and float(text) == value


main()
