"""The supervised taggers of the paper's Table 2 as s3prl upstreams: trained from scratch with -f."""
