"""`python -m benchmarks.rows`: see steps."""

import sys

from benchmarks.rows.steps import main

if __name__ == "__main__":
    main(sys.argv[1:])
