"""How exact search is done: tiles of products, screened, on CPUs and GPUs; and FAISS."""
