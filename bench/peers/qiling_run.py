"""A program under Qiling. Run: python bench/peers/qiling_run.py PROGRAM [ARG ...]."""

import sys
import tempfile

from qiling import Qiling
from qiling.const import QL_VERBOSE

Qiling(sys.argv[1:], tempfile.mkdtemp(), verbose=QL_VERBOSE.OFF).run()
