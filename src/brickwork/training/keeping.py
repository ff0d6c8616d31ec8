"""The methods of a model that show it and keep it in files."""

from __future__ import annotations

from typing import Any


class Keeping:
    """The part of `Model` that prints its summary and writes and reads its files."""

    name: Any
    kind: Any
    graph: Any
    preprocessing: Any

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        *,
        bricks: bool = False,
    ) -> None:
        """Print layers, output shapes, numbers of parameters and connections.

        `bricks=True` shows the bricks in each layer. `line_length` is the width; `print_fn` takes the text.
        The other arguments are Keras's and change nothing here.
        """
        (print_fn or print)(self.summary_text(line_length, bricks=bricks))

    def summary_text(self, line_length: int | None = None, *, bricks: bool = False) -> str:
        """What `summary` prints."""
        from ..inspect.summary import summary_text

        text: str = summary_text(
            self.graph,
            name=self.name,
            kind=self.kind,
            show_inputs=self.kind != "Sequential",
            bricks=bricks,
            width=line_length,
        )
        if self.preprocessing is not None:
            columns = "\n".join(f"  {line}" for line in self.preprocessing.describe())
            text += f"\nPreprocessing of the table's columns:\n{columns}"
        return text

    def save(self: Any, filepath: Any, overwrite: bool = True, *, include_optimizer: bool = True) -> None:
        """Write network, weights, compile arguments and optimizer state to a .safetensors file."""
        from .saving import save_model

        save_model(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer)

    def save_weights(self: Any, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights alone to a .safetensors file."""
        from .saving import save_weights

        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self: Any, filepath: Any) -> None:
        """Read weights written by `save_weights` or `save` for a network of the same arrays, all or none."""
        from .saving import load_weights

        load_weights(self, filepath)
