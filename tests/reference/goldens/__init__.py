"""Parts of make_goldens.py: see that file and README.md."""
