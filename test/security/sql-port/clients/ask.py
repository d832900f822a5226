"""What an analyst does with clickhouse-connect and SQLAlchemy. Needs clickhouse-connect, pandas and sqlalchemy."""

from importlib.metadata import version

import clickhouse_connect
from sqlalchemy import create_engine, inspect, text

print("clickhouse-connect", version("clickhouse-connect"))
client = clickhouse_connect.get_client(host="127.0.0.1", port=8124)
print(client.query("SELECT model_id, count() FROM predictions GROUP BY model_id").result_rows)
print(client.query("SELECT {n:Int32} AS n, {s:String}", parameters={"n": 3, "s": "a'b"}).result_rows)
print(client.query("SELECT %(n)s + 1", parameters={"n": 3}).result_rows)
print(client.query_df("SELECT number, toString(number) FROM numbers(10)").shape)
print(client.query_np("SELECT number FROM numbers(10)").shape)
print(client.command("SELECT 1"), len(client.command("SHOW TABLES")))
print(client.raw_query("SELECT * FROM window_metrics LIMIT 5", fmt="CSVWithNames")[:20])
print(client.query("DESCRIBE TABLE predictions").result_rows[0])
print(client.query("SELECT 1", settings={"max_threads": 2}).result_rows)
with client.query_rows_stream("SELECT number FROM numbers(5)") as stream:
    print(list(stream))
print(client.server_version, client.ping())
limited = clickhouse_connect.get_client(
    host="127.0.0.1", port=8124, database="default", compress=False, query_limit=100
)
print(limited.query("SELECT * FROM predictions").result_rows)
engine = create_engine("clickhousedb://127.0.0.1:8124/default")
with engine.connect() as connection:
    print(connection.execute(text("SELECT 1")).fetchall())
print(len(inspect(engine).get_table_names()), len(inspect(engine).get_columns("predictions")))
print(inspect(engine).get_schema_names())
