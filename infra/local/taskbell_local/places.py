"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ROOT / "functions"
WEB = ROOT / "web"
DATA = ROOT / ".taskbell"
ENV_FILE = "dev.env"  # below the data folder
