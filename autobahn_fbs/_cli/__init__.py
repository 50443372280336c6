"""``dump``, ``verify``, ``catalog`` and ``info``: the verbs that show things; one topic a file."""
