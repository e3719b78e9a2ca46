"""The wait callback: how coroutine libraries wait in place of a blocking connection."""

_callback = [None]  # psycopg2 has one for the whole process


def set_wait_callback(callback):
    """Register a callback function to block waiting for data.

    The callback should have signature :samp:`fun({conn})` and is called to wait for data available whenever a blocking
    function from the libpq is called. Use `!set_wait_callback(None)` to revert to the original behaviour.
    """
    _callback[0] = callback


def get_wait_callback():
    """Return the currently registered wait callback.

    Return `!None` if no callback is currently registered.
    """
    return _callback[0]
