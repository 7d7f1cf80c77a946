class Background: pass
def load_backgrounds(p): return ()
