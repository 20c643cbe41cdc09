"""Tariffs: the list, and the editor in which they are made and changed.

A form is one of `patterns`: one price (`flat_form`), one of the presets, or line by line (`line_form`). Whatever it is, it is read
into a `Tariff`, whose week (`week`) and whose price for some sessions (`tries`) stand beside it. `editor` stores what changes as a new
version; `versions` tells which there are; `ocpi` exchanges tariffs as files.
"""
