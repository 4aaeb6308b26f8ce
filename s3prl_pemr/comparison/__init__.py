"""Upstreams side by side: experiments run one after the other, and a table of what came out."""
