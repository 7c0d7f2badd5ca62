"""Recognition: a picture in, the objects, a description and the text in it out."""
