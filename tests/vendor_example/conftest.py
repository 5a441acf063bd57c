"""What installing the distribution would do: make ``import age_check`` work."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
