"""Code that tests, fuzzers and the programs of tests share."""
