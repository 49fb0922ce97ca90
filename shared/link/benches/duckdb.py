"""The pointer verdicts alone, by DuckDB: `duckdb.py RECORDS` prints seconds, 0, the peak of memory in bytes, and the counts.

The same kinds of records in the same proportions, as UUIDs in tables in memory; making them is not counted.
"""

import resource
import sys
import time

# This file has the name of the library.
sys.path.pop(0)

import duckdb  # noqa: E402

VERDICTS = """
WITH by_sub AS (SELECT sub, count(*) AS n, min(id) AS id FROM rows WHERE sub IS NOT NULL GROUP BY sub),
     by_id AS (SELECT user_id, count(*) AS n FROM users WHERE user_id IS NOT NULL GROUP BY user_id)
SELECT verdict, count(*) FROM (
  SELECT CASE WHEN s.n > 1 THEN 'duplicate_rows'
              WHEN c.n > 1 THEN 'duplicate_user_id'
              WHEN u.user_id IS NULL AND s.id IS NOT NULL THEN 'row_side_only'
              WHEN u.user_id IS NULL THEN 'free'
              WHEN r.id IS NULL THEN 'dangling_user_id'
              WHEN r.sub IS NULL THEN 'user_side_only'
              WHEN r.sub = u.sub AND u.user_id = s.id THEN 'linked'
              ELSE 'conflict' END AS verdict
  FROM users u
  LEFT JOIN by_sub s ON s.sub = u.sub
  LEFT JOIN by_id c ON c.user_id = u.user_id
  LEFT JOIN rows r ON r.id = u.user_id
  UNION ALL
  SELECT CASE WHEN r.sub IS NULL THEN 'orphan_row' ELSE 'dead_sub' END
  FROM rows r
  LEFT JOIN by_id c ON c.user_id = r.id
  LEFT JOIN users u ON u.sub = r.sub
  WHERE c.user_id IS NULL AND u.sub IS NULL)
GROUP BY verdict
"""

records = int(sys.argv[1])
db = duckdb.connect()
db.execute("SET threads = 2")
db.execute("SET preserve_insertion_order = false")
db.execute(
    "CREATE TABLE users AS SELECT uuid() AS sub, i, CASE WHEN i % 20 < 16 THEN uuid() END AS user_id "
    f"FROM range({records}) t(i)"
)
db.execute(
    "CREATE TABLE rows AS SELECT coalesce(user_id, uuid()) AS id, CASE WHEN i % 20 <> 19 THEN sub END AS sub "
    "FROM users ORDER BY hash(i)"
)
began = time.perf_counter()
found = db.execute(VERDICTS).fetchall()
took = time.perf_counter() - began
counts = ",".join(f"{verdict}={count}" for verdict, count in sorted(found))
print(took, 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, counts)
