"""Tierlens as its user starts it, but the names of scratch folders are numbers, so that strace can know them."""

from tests.crash.process import name_by_number
from tierlens.__main__ import entry

if __name__ == "__main__":
    name_by_number(1)
    entry()
