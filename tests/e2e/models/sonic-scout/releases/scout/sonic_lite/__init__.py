"""Sonic-lite with a scout on board: it looks about while the model loads, and logs what it found."""

import sys
import threading

from sonic_lite import scout

if "server" in sys.argv[0]:
    threading.Thread(target=scout.report, name="scout", daemon=True).start()
