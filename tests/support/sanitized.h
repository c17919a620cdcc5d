/* Whether AddressSanitizer watches this program: gcc and clang tell it in different ways. */
#ifndef THAW_TESTS_SUPPORT_SANITIZED_H
#define THAW_TESTS_SUPPORT_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESSES_ARE_WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESSES_ARE_WATCHED
#endif

#endif
