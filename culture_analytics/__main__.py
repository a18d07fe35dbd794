"""``python -m culture_analytics``: the command line."""

import sys

from culture_analytics.cli import main

if __name__ == "__main__":
    sys.exit(main())
