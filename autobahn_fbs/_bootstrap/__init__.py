"""The folder that ``python -m autobahn_fbs run`` puts on PYTHONPATH; see ``sitecustomize.py``."""
