"""The faults of other implementations that show in the DHT cases."""

from table import Fault

# kad/README.md has more on each.
FAULTS = [
    Fault("kad", "unlisted", "", "js",
          "@libp2p/kad-dht 16.4.5 enters whomever an answer names into its table, also clients: src/network.ts, line 289, "
          "and src/kad-dht.ts, line 408"),
    Fault("kad-star", "newest", "js", "",
          "@libp2p/kad-dht 16.4.5 lets an older value overwrite a newer one: src/rpc/handlers/put-value.ts, line 53"),
]
