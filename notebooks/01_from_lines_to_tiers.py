# %% [markdown]
# # From transactions to tiers, segments and their agreement
# Runs on the simulated shop, so that it needs no file. Every table is keyed by `customer_id` and `cutoff`.

# %%
from tierlens.datasets.simulate import simulated_shop
from tierlens.explain.agreement import agreement
from tierlens.features.snapshot import build_snapshots, to_arrow
from tierlens.grading import grade, load_scheme
from tierlens.segments import SEGMENT_FEATURES, CustomerSegmenter
from tierlens.segments.profile import segment_profile
from tierlens.sources.engines import settle_frame

shop = simulated_shop(customers=400, seed=1)
currency = shop.tables.currency

# %% [markdown]
# Snapshots are lazy: nothing is computed before `to_arrow` or `settle`.

# %%
features = settle_frame(build_snapshots(shop.tables, ["2025-06-01", "2025-09-01"]))
table = to_arrow(features)
table.select(["customer_id", "cutoff", "recency_days", "frequency", "monetary"]).slice(0, 5).to_pandas()

# %% [markdown]
# A documented scheme is data; grading is one expression. Without data an indicator lowers the coverage.

# %%
graded = to_arrow(grade(features, load_scheme("relationship_rating"), currency))
graded.select(["customer_id", "score", "tier", "coverage"]).slice(0, 5).to_pandas()

# %% [markdown]
# Segments are discovered, named from their profile, and held against the tiers.

# %%
segmenter = CustomerSegmenter(random_state=0).fit(table.select(list(SEGMENT_FEATURES)).to_pandas())
described = segment_profile(table, segmenter.labels_, currency=currency)
for number, name in described.names.items():
    print(f"{number}  {name.en} / {name.zh}: {described.about[number].en}")

# %%
held = agreement(segmenter.labels_, graded["tier"].to_pylist(), resamples=200)
held.measures.to_pandas()
