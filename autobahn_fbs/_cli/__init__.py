"""The verbs that inspect messages: ``dump``, ``verify`` and ``info``; one topic per file."""
