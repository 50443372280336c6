"""The verbs that look into traffic: ``dump``, ``verify`` and ``info``; one topic a file."""
