"""How the exercises of each chapter are tried: a module for each, with its plans and drivers."""
