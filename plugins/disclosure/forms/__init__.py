"""The papers, as typst templates; ``press`` prints them."""
