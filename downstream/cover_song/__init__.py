"""Cover song identification: embeddings of whole tracks, compared by their cosine."""
