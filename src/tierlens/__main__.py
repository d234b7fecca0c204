"""``python -m tierlens`` is the command line."""

from tierlens.app.cli import entry

if __name__ == "__main__":
    entry()
