"""numpy, pandas and matplotlib: half a second to import, nothing once they are in the image."""

import io


def use():
    import matplotlib
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"name": ["a", "b", "a"], "price": [1.5, 2.0, 2.5], "n": [1, 2, 3]})
    print(frame), print(frame.head()), print(frame.describe()), frame.info(buf=io.StringIO())
    print(frame.groupby("name").price.mean(), frame[frame.n > 1].sort_values("price"))
    pd.read_csv(io.StringIO(frame.to_csv(index=False))), pd.read_json(io.StringIO(frame.to_json()))
    print(np.arange(6).reshape(2, 3).sum(axis=0) * 1.5, np.random.default_rng().random(3).mean())

    figure, axes = plt.subplots()
    axes.plot([1, 2], label="line")
    axes.bar(["a", "b"], [1, 2])
    axes.set_title("title"), axes.legend()
    for kind in ("png", "svg"):
        figure.savefig(io.BytesIO(), format=kind)
    plt.close("all")
    # Its cached fonts hold files open, which no fork has.
    matplotlib.font_manager._get_font.cache_clear()
