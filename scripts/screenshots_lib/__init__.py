"""``scripts/screenshots``: what a person sees, screen by screen, in a town made for it.

command.py   the command line; the town, and who sits down
camera.py    a browser that takes pictures of whole pages
scenes.py    which states of which screens, and how one gets there
"""
