#define _XOPEN_SOURCE 700
#define _XOPEN_SOURCE_EXTENDED 1
#define _DEFAULT_SOURCE 1
#define NCURSES_WIDECHAR 1

#include "CNcurses.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static SCREEN *screen;

static void set_modes(void) {
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    meta(stdscr, TRUE);
    intrflush(stdscr, FALSE);
}

bool cn_open(void) {
    // Unlike initscr, newterm answers where the terminal is unknown, instead of ending the process.
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL) return false;
    set_term(screen);
    const char *place_cursor = tigetstr("cup");
    if (place_cursor == NULL || place_cursor == (const char *)-1) {
        cn_close();
        return false;
    }
    set_modes();
    set_escdelay(25);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    curs_set(0);
    return true;
}

void cn_close(void) {
    if (screen == NULL) return;
    endwin();
    delscreen(screen);
    screen = NULL;
}

void cn_suspend(void) { endwin(); }

void cn_resume(void) {
    refresh();
    // endwin forgets the modes of the keyboard.
    set_modes();
    clearok(curscr, TRUE);
}

int cn_colors(void) { return has_colors() ? COLORS : 0; }

void cn_define_pair(short pair, short ink) { init_pair(pair, ink, -1); }

void cn_resize(int rows, int columns) {
    resizeterm(rows, columns);
    clearok(curscr, TRUE);
}

void cn_write(int row, int column, const char *text, int length, unsigned attributes, short pair) {
    attr_t attrs = A_NORMAL;
    if (attributes & CNBold) attrs |= A_BOLD;
    if (attributes & CNDim) attrs |= A_DIM;
    if (attributes & CNReverse) attrs |= A_REVERSE;
    if (attributes & CNUnderline) attrs |= A_UNDERLINE;
    wattr_set(stdscr, attrs, pair, NULL);
    wmove(stdscr, row, column);
    waddnstr(stdscr, text, length);
}

void cn_forget(void) { clearok(curscr, TRUE); }

void cn_cursor(int row, int column) {
    if (row < 0) {
        curs_set(0);
    } else {
        curs_set(1);
        wmove(stdscr, row, column);
    }
}

void cn_refresh(void) {
    wnoutrefresh(stdscr);
    doupdate();
}

static uint32_t key_of(wint_t code) {
    switch (code) {
    case KEY_UP: return CNKeyUp;
    case KEY_DOWN: return CNKeyDown;
    case KEY_LEFT: return CNKeyLeft;
    case KEY_RIGHT: return CNKeyRight;
    case KEY_HOME: return CNKeyHome;
    case KEY_END: return CNKeyEnd;
    case KEY_PPAGE: return CNKeyPageUp;
    case KEY_NPAGE: return CNKeyPageDown;
    case KEY_BACKSPACE: return CNKeyBackspace;
    case KEY_DC: return CNKeyDelete;
    case KEY_BTAB: return CNKeyBackTab;
    case KEY_ENTER: return CNKeyEnter;
    default: return CNKeyOther;
    }
}

CNKeyPress cn_key(void) {
    wint_t code = 0;
    switch (wget_wch(stdscr, &code)) {
    case OK: return (CNKeyPress){1, (uint32_t)code};
    case KEY_CODE_YES:
        if (code == KEY_MOUSE) return (CNKeyPress){3, 0};
        return (CNKeyPress){2, key_of(code)};
    default: return (CNKeyPress){0, 0};
    }
}

bool cn_set_mouse(bool is_on) {
    // Presses count at once: waiting for a click's end, or for a second click, would only make it late.
    mouseinterval(0);
    mousemask(is_on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
    return has_mouse();
}

bool cn_mouse(CNMouseEvent *event) {
    MEVENT told;
    if (getmouse(&told) != OK) return false;
    if (told.bstate & BUTTON1_PRESSED) {
        event->action = CNMousePress;
    } else if (told.bstate & BUTTON4_PRESSED) {
        event->action = CNMouseWheelUp;
    } else if (told.bstate & BUTTON5_PRESSED) {
        event->action = CNMouseWheelDown;
    } else {
        return false;
    }
    event->row = told.y;
    event->column = told.x;
    return true;
}

// Crashes. What runs here runs in the middle of anything: only calls that POSIX allows in a signal handler.

static struct termios modes_before;
static int guarded_terminal = -1;
static int error_file = -1;
static int real_error_file = -1;

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};

static void restore_and_reraise(int number) {
    // The end of a synchronised update, no word of the mouse, the normal screen, a visible cursor, plain writing, normal
    // keys.
    static const char restore[] = "\033[?2026l\033[?1006l\033[?1000l\033[?1049l\033[?25h\033[0m\033[?1l\033>\r";
    ssize_t ignored = write(guarded_terminal, restore, sizeof restore - 1);
    tcsetattr(guarded_terminal, TCSANOW, &modes_before);
    if (error_file >= 0) {
        dup2(real_error_file, STDERR_FILENO);
        char buffer[1024];
        lseek(error_file, 0, SEEK_SET);
        for (ssize_t count; (count = read(error_file, buffer, sizeof buffer)) > 0;) {
            ignored = write(STDERR_FILENO, buffer, (size_t)count);
        }
    }
    (void)ignored;
    // The handler was for once: the signal now does what it does by itself.
    raise(number);
}

void cn_guard_crashes(int terminal, int errors, int real_errors) {
    if (tcgetattr(terminal, &modes_before) != 0) return;
    guarded_terminal = terminal;
    error_file = errors;
    real_error_file = real_errors;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = restore_and_reraise;
    action.sa_flags = SA_RESETHAND | SA_NODEFER;
    for (size_t place = 0; place < sizeof crash_signals / sizeof *crash_signals; place++) {
        sigaction(crash_signals[place], &action, NULL);
    }
}

void cn_unguard_crashes(void) {
    for (size_t place = 0; place < sizeof crash_signals / sizeof *crash_signals; place++) {
        signal(crash_signals[place], SIG_DFL);
    }
}
