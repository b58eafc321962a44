"""What every test on target shares: counting checks, and the line that ends it."""

import sys

passed = 0
failed = 0


def check(name, condition, *detail):
    """Count a check; print it if it fails."""
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print("FAILED", name, *detail)


def raises(error, function, *arguments, **keywords):
    """Tell whether a call raises an error of this class."""
    try:
        function(*arguments, **keywords)
    except error:
        return True
    return False


async def soon(true):
    """Wait for what comes about by itself; False if it has not after half a minute."""
    import asyncio  # the simulation's, if that is installed by now

    for _ in range(6000):
        if true():
            return True
        await asyncio.sleep_ms(5)
    return False


def attempt(test, *arguments):
    """Run a test; what it raises is a check that failed."""
    try:
        test(*arguments)
    except Exception as error:
        check(test.__name__, False)
        sys.print_exception(error)


def report():
    """Print the result line and end."""
    print("{} passed, {} failed".format(passed, failed))
    sys.exit(1 if failed else 0)
