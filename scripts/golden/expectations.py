"""Writes what other packages export of their expectations, as fixtures of `npm run expectations`.

    pip install great_expectations==1.24.1 "pandera[io,pandas]==0.35.0" pydantic==2.14.4
    python scripts/golden/expectations.py

The versions that wrote them stand in test/golden/expectations/versions.json.
"""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import great_expectations as gx
import great_expectations.expectations as gxe
import pandera.pandas as pa
from pydantic import BaseModel, Field

OUT = Path(__file__).parent.parent.parent / "test" / "golden" / "expectations"


def great_expectations_suite() -> None:
    gx.get_context(mode="ephemeral")
    suite = gx.ExpectationSuite(name="loans")
    for expectation in [
        gxe.ExpectColumnValuesToNotBeNull(column="amount", mostly=0.99),
        gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=100000, strict_min=True),
        gxe.ExpectColumnValuesToBeInSet(column="country", value_set=["DE", "FR"]),
        gxe.ExpectColumnValuesToBeOfType(column="age", type_="int64"),
        gxe.ExpectColumnValuesToMatchRegex(column="iban", regex="^[A-Z]{2}[0-9]{2}"),
        gxe.ExpectColumnValueLengthsToBeBetween(column="iban", min_value=15, max_value=34),
        gxe.ExpectColumnValueLengthsToEqual(column="code", value=4),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="finish", column_B="begin", or_equal=True),
        gxe.ExpectColumnPairValuesToBeEqual(column_A="a", column_B="b"),
        gxe.ExpectColumnMeanToBeBetween(column="amount", min_value=10, max_value=20),
        gxe.ExpectColumnToExist(column="amount"),
        gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=10),
        gxe.ExpectColumnValuesToMatchRegex(column="free", regex="(?=look)"),
    ]:
        suite.add_expectation(expectation)
    body = suite.to_json_dict()
    body.pop("id", None)
    for one in body["expectations"]:
        one.pop("id", None)
    write("great-expectations.json", json.dumps(body, indent=1, sort_keys=True))


def pandera_schema() -> None:
    schema = pa.DataFrameSchema(
        {
            "amount": pa.Column(float, [pa.Check.ge(0), pa.Check.lt(1000)]),
            "age": pa.Column(int, pa.Check.in_range(18, 120), nullable=True),
            "country": pa.Column(str, pa.Check.isin(["DE", "FR"])),
            "iban": pa.Column(str, [pa.Check.str_matches(r"[A-Z]{2}"), pa.Check.str_length(15, 34)]),
            "flag": pa.Column(bool, required=False),
            "note": pa.Column(str, pa.Check.str_startswith("x."), nullable=True),
            "odd": pa.Column(float, pa.Check(lambda s: s % 2 == 1), unique=True),
        }
    )
    write("pandera.json", schema.to_json(indent=1))
    write("pandera.yaml", schema.to_yaml())


class Loan(BaseModel):
    amount: Annotated[float, Field(gt=0, le=100000)]
    age: Annotated[int, Field(ge=18)] | None = None
    country: Literal["DE", "FR"]
    iban: Annotated[str, Field(min_length=15, max_length=34, pattern="^[A-Z]{2}")]
    flag: bool = False
    steps: Annotated[int, Field(multiple_of=5)] = 0
    tags: list[str] = []


def write(name: str, text: str) -> None:
    (OUT / name).write_text(text.rstrip("\n") + "\n")


if __name__ == "__main__":
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    OUT.mkdir(parents=True, exist_ok=True)
    great_expectations_suite()
    pandera_schema()
    write("json-schema.json", json.dumps(Loan.model_json_schema(), indent=1))
    packages = ("great_expectations", "pandera", "pydantic")
    write("versions.json", json.dumps({name: version(name) for name in packages}, indent=1))
