"""`python -m emu`: the same as the console script `trapeze`."""

from emu.cli import main

if __name__ == "__main__":
    main()
