"""rmbg-lite: the subject of a photograph, cut out."""
