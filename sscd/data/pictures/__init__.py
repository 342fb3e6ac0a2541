"""Pictures to be described, whatever holds them: folders, lists, shards, Parquet, object stores."""
