"""What tests, fuzzers and programs that tests start have in common."""
